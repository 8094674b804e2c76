"""What is seen: the screen. It draws the Fleet that its Link gives, and sends commands through the same Link."""
