"""Does choosing by creativity choose better? Candidates, judges that had no part, attacks, damages, fitting, tables."""
