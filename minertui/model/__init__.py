"""What is said: the frozen values that every other part shares. No I/O and no clock in here."""
