"""What both sides of the demo know: the pipeline, and those who search for its fault."""

from datetime import date, timedelta

DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(365)]
CHANGED_MONTH = "2013-08"
"""The month whose flights the feed delivers with delays in another unit."""
COMPLAINTS = "complaints.csv"
"""The file of predictions that turned out wrong: id, predicted_min, arrived_min, missed_min."""
MISS_LIMIT_H = 6
