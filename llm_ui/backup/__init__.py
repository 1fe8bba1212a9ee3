"""Copies of the database and of its files: written while everything runs, kept, and tried."""
