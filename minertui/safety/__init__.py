"""What may happen to hardware: limits, the order of steps, plausibility. Pure: no I/O, no clock; time comes in."""
