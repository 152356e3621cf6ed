"""Selection rules: how scores of unlike ranges become one order."""
