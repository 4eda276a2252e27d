"""The grid: clips of many strengths side by side, set up, shown and exported."""
