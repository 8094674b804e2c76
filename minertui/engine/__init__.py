"""Who keeps it alive, headless: polls, remembers, arbitrates, runs jobs, restores after a crash."""
