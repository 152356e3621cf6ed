"""What every training shares: configuration, trainer, optimisation, memory."""
