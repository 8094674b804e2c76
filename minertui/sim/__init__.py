"""Hardware for nothing: simulated devices with physics and a fault console, for the demo and the tests."""
