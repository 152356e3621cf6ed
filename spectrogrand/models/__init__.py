"""Networks as torch modules, and the process that some of them need. Loaded by plug-ins, at first use."""
