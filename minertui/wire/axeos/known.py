"""Which fields of an answer this program has heard of, so that a probe can name the new ones."""

from __future__ import annotations

from minertui.wire import json

# Every field of info in AxeOS 2.0.0 to 2.15.0 (from the source of each release), then those of NerdQAxe alone.
_NAMES = """
power voltage current fanSpeed temp hashRate bestDiff freeHeap coreVoltage coreVoltageActual frequency ssid wifiPass
wifiStatus sharesAccepted sharesRejected uptimeSeconds ASICModel stratumURL stratumPort stratumUser version
runningPartition flipscreen invertscreen invertfanpolarity autofanspeed fanspeed boardVersion fanSpeedRpm
bestSessionDiff hostname vrTemp asicCount smallCoreCount overheat fanrpm overheat_mode isUsingFallbackStratum
macAddr fallbackStratumURL fallbackStratumPort fallbackStratumUser stratumDiff idfVersion maxPower nominalVoltage
isPSRAMAvailable wifiRSSI apEnabled sharesRejectedReasons overclockEnabled power_fault displayTimeout temptarget
expectedHashrate display displayOffset statsLimit statsDuration poolDifficulty stratumSuggestedDifficulty
stratumExtranonceSubscribe fallbackStratumSuggestedDifficulty fallbackStratumExtranonceSubscribe responseTime
axeOSVersion rotation statsFrequency temp2 minFanSpeed errorPercentage poolAddrFamily freeHeapInternal
freeHeapSpiram ipv4 ipv6 manualFanSpeed fan2rpm blockFound blockHeight scriptsig networkDifficulty hashrateMonitor
hashRate_1m hashRate_10m hashRate_1h resetReason poolConnectionInfo stratumTLS stratumCert stratumDecodeCoinbase
fallbackStratumTLS fallbackStratumCert fallbackStratumDecodeCoinbase showNewBlock coinbaseOutputs
coinbaseValueTotalSatoshis coinbaseValueUserSatoshis actualFrequency responseShareBatch processTime cpuUsage
miningPaused hardware_fault stratumProtocol stratumV2AuthorityPubkey stratumV2ChannelType
fallbackStratumV2AuthorityPubkey fallbackStratumV2ChannelType fallbackStratumProtocol blockSignals sharesPending
workReceived minFreeHeap maxAllocHeap totalUptimeSeconds totalHashes totalLog2Work primaryPoolIndex
secondaryPoolIndex useFallbackStratum pools useCustomWWW partitions fullHostname mdnsHostname
deviceModel hostip minPower maxVoltage minVoltage currentA minCurrentA maxCurrentA vrTempInt hashRateTimestamp
hashRate_1d defaultCoreVoltage fanrpm2 fanspeed2 fanCount lastpingrtt recentpingloss shutdown duplicateHWNonces
stratum foundBlocks totalFoundBlocks asicTemps pidTargetTemp pidP pidI pidD fans stratumEnonceSubscribe
fallbackStratumEnonceSubscribe sv2AuthorityPubkey fallbackSv2AuthorityPubkey sv2ChannelType fallbackSv2ChannelType
defaultFrequency jobInterval stratumDifficulty overheat_temp autoscreenoff autofanpolarity stratum_keep vrFrequency
defaultVrFrequency otp lastResetReason freeHeapInt defaultTheme history
"""
_KNOWN = frozenset(_NAMES.split())


def unknown_fields(info: bytes) -> list[str]:
    """The names in an answer of ``/api/system/info`` that no known release has, in their order. Raises Garbled."""
    return [name for name in json.load_object(info) if name not in _KNOWN]
