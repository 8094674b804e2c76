"""What asks a person. A dialog gets values, gives a value back (None: not now), and does nothing else."""
