"""Times on the wire: ISO 8601 with an offset."""
import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


# How near to the ends of the calendar a time may lie: nearer, another zone or an overlap would leave it.
SPARE = datetime.timedelta(days=366)


def as_wire(value):
    """A date, time, or anything else as it stands in JSON."""
    if isinstance(value, datetime.datetime):
        if timezone.is_naive(value):
            value = timezone.make_aware(value, timezone.get_default_timezone())
        return value.astimezone(datetime.timezone.utc).isoformat().replace('+00:00', 'Z')
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def try_parse(text):
    """An aware datetime, or None when the text is not ISO 8601 with an offset, or within a year of the calendar's ends.

    A `+` that a query string turned into a space is read as the plus that was meant.
    """
    try:
        value = parse_datetime(text.strip().replace(' ', '+') if 'T' in text else text)
    except (ValueError, AttributeError, TypeError):
        return None
    if value is None or timezone.is_naive(value):
        return None
    try:
        value.astimezone(datetime.timezone.utc) - SPARE, value.astimezone(datetime.timezone.utc) + SPARE
    except OverflowError:
        return None
    return value


def for_database(value):
    """The same moment as the project's USE_TZ stores it: comparing aware with naive raises."""
    from django.conf import settings
    if settings.USE_TZ:
        return value
    return timezone.make_naive(value, timezone.get_default_timezone())
