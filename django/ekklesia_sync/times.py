"""Times on the wire: ISO 8601 with an offset."""
import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


# How near to the ends of the calendar a time may lie: nearer, another zone or an overlap would leave it.
SPARE = datetime.timedelta(days=366)
JSON_TYPES = (str, int, float, bool, list, dict)


def as_wire(value):
    """A date, time, or anything else as it stands in JSON; what JSON has no form for, as text.

    A value that could not be written would stop the registry's own save, and one member's the export of all.
    """
    if isinstance(value, datetime.datetime):
        return _in_utc(value).isoformat().replace('+00:00', 'Z')
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if value is None or isinstance(value, JSON_TYPES) else str(value)


def _in_utc(value):
    try:
        if timezone.is_naive(value):
            value = _localized(value)
        return value.astimezone(datetime.timezone.utc)
    except OverflowError:
        # At the ends of the calendar (0001-01-01 for "unknown") the offset would lead out of it.
        return value.replace(tzinfo=datetime.timezone.utc)


def _localized(value):
    zone = timezone.get_default_timezone()
    if hasattr(zone, 'localize'):
        # pytz: by itself it refuses the hours that a change of the clock skips or repeats.
        return zone.localize(value, is_dst=False)
    return timezone.make_aware(value, zone)


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
