"""What a picture is, measured, and colour, once. Imports media, files, checks and the ground floor only."""
