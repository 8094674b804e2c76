"""What runs: one file a job, a pure brain that is given time, and a run() that carries its commands to the site."""
