"""The spellings of a kennitala. Nothing here judges whether it is a valid one: that is the receiver's part."""
import re

from django.db.models import CharField, F, Func, Value

# What the outbox has room for. A registry's column may hold more: a number with a remark, or an import's rubbish.
LONGEST = 20
IGNORED = ('-', ' ', '\t', '\n', '\r', '\u00a0')


def without_hyphen(ssn):
    """`010190-1199` or `0101901199` as ten digits; anything else only loses its hyphens and spaces."""
    return re.sub(r'[-\s]', '', str(ssn or ''))


def is_trackable(ssn):
    """Whether events can name somebody by it. Many people may have none, and they are not one person."""
    return 0 < len(ssn) <= LONGEST


def spellings(ssn):
    """The two ways in which the registry most likely stored it."""
    bare = without_hyphen(ssn)
    return [bare, '{}-{}'.format(bare[:6], bare[6:])]


def bare_in_database(path):
    """An expression for `without_hyphen` of a column: a space that was typed along hides nobody. No index serves it."""
    expression = F(path)
    for each in IGNORED:
        expression = Func(expression, Value(each), Value(''), function='REPLACE', output_field=CharField())
    return expression
