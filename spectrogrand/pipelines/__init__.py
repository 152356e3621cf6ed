"""One short file per job; read audiovisual.py first."""
