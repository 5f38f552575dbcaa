"""Summaries of data in bounded size: what they are, how they travel, merge and differ.

Pure, standard library only. The client makes them, the exporter compares them; both enter here.
"""
