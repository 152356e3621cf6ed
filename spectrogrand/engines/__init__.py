"""What the offline plug-ins are made of: no weights, no plug-in, no run. Imports audio, image and what lies below."""
