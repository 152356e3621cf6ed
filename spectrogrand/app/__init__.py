"""The web page over all pipelines: forms, a queue of jobs in processes of their own, and the gallery of past runs."""
