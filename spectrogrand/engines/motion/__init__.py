"""Moving a cover with its song: the stage and what is danced on it."""
