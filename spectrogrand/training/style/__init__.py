"""Training the spectral stylizer: data, network, export."""
