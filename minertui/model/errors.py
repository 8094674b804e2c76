"""One error family.

    MinertuiError
    ├─ ConfigError            names file, key and line
    ├─ DeviceError            knows the device
    │  ├─ Unreachable         no answer; after a write: the outcome is unknown
    │  │  └─ NotSent          no connection, so nothing was written
    │  ├─ Garbled             an answer that is not the protocol
    │  ├─ Refused             the device said no (auth included)
    │  ├─ Withheld            nothing was sent to it
    │  └─ Unsupported         this kind or firmware cannot
    ├─ JobError
    │  ├─ Preempted           a higher rank took the device
    │  └─ Stopped             somebody asked the job to end
    └─ LinkError              the engine cannot be reached
       ├─ Unanswered          it took an order: whether it was done is not known
       └─ OtherVersion        it is there, and what it says cannot be read

Every text is one clear sentence that says what is wrong and what to do, and plain text whatever it quotes: a key of a
config, a path, what a library said. wire raises Garbled; devices translate library
errors with ``from error``; the poller catches DeviceError; the runner alone catches Exception, at the task boundary;
the screen catches LinkError and shows a banner; the command line prints any MinertuiError and exits 1.
"""

from __future__ import annotations

from pathlib import Path

from minertui.model.text import plain


class MinertuiError(Exception):
    """Anything this program says about itself; its text is fit for the user. ``lines`` stand below it, each of its own:
    no text that is quoted makes new ones."""

    def __init__(self, text: str = "", *lines: str) -> None:
        super().__init__("\n".join(plain(line) for line in (text, *lines)))


class ConfigError(MinertuiError):
    """A config that cannot be used.

    ``file`` is None when the value came from the command line or the API; ``key`` is the dotted key
    (``miner[2].address``) and ``line`` the 1-based line where that is known.
    """

    def __init__(self, message: str, *, file: Path | None = None, key: str = "", line: int | None = None) -> None:
        self.message, self.file, self.key, self.line = plain(message), file, plain(key), line
        where = f"{file}:{line}" if file and line else str(file or "")
        super().__init__(": ".join(part for part in (where, key, message) if part))


class DeviceError(MinertuiError):
    """Something about one device; ``device`` is its name or address."""

    def __init__(self, device: str, message: str) -> None:
        self.device, self.message = device, plain(message)
        super().__init__(f"{device}: {message}")


class Unreachable(DeviceError):
    """No answer. After a write this means that the outcome is unknown: read back, never resend blindly."""


class NotSent(Unreachable):
    """No connection to it. What was to be written never left this computer."""


class Garbled(DeviceError):
    """An answer that is not the protocol. wire does not know the device and passes ``""``."""


class Refused(DeviceError):
    """The device said no. ``auth`` is True when it asks for a password or refuses our address (HTTP 401)."""

    def __init__(self, device: str, message: str, *, auth: bool = False) -> None:
        super().__init__(device, message)
        self.auth = auth


class Withheld(DeviceError):
    """Nothing was sent: what became known while the command waited for its turn at the line speaks against it."""


class Unsupported(DeviceError):
    """This kind of device, or its firmware, cannot do that."""


class JobError(MinertuiError):
    """A job cannot start or go on."""


class Preempted(JobError):
    """A higher rank took the device (safety > person > curtailment > sweep)."""


class Stopped(JobError):
    """The job was asked to end: raised by the Site's waiting methods, after which only ``conclude`` still works.

    ``final`` is True when a person ended it (a sweep then applies its best passing point) and False when the engine is
    going down (the baseline is restored, and the job resumes at the next start).
    """

    def __init__(self, *, final: bool) -> None:
        super().__init__("stopped by a person" if final else "the engine is stopping")
        self.final = final


class LinkError(MinertuiError):
    """The engine cannot be reached, or it refused; the text says what to do."""


class Unanswered(LinkError):
    """The engine took a request that may change something, and gave no answer: it may have been done or not."""


class OtherVersion(LinkError):
    """An engine is there, and says what this version of the program cannot read."""


def fault_of_ours(error: BaseException) -> str:
    """Words for an exception that nobody foresaw; plain text, whatever it quotes."""
    return plain(f"a fault of this program ({type(error).__name__}: {error})")
