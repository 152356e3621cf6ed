"""Where weights lie, how they come here and how they are read. Imports nothing that composes plug-ins."""
