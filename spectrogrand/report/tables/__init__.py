"""Runs and trainings as rows, compared: tables, their formats and figures; may import what `report` may."""
