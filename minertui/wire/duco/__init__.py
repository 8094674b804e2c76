"""How Duino-Coin spells things: the pool's lines, the boards' dialects on USB serial and I2C, the server's REST.

pool        one connection to a pool, as a state machine between bytes and events
sketch      the official sketch on a serial port
i2c_a … d   boards on I2C, as exchanges of single transfers; dialect tells which a board speaks
adaptor     a USB adaptor that carries dialect C
rest        the answers of the master server
hash, crc   the arithmetic
"""
