"""The sets that scorers compare with: shipped ones, and how one's own are made."""
