"""How it is spelt: protocols as pure functions between bytes and the model. No socket, no clock."""
