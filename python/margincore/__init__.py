"""Derivatives margin under the rulebooks that matter, fast, with every number explained."""
