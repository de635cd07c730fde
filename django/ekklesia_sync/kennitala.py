"""The two spellings of a kennitala. Nothing here judges whether it is a valid one: that is the receiver's part."""
import re


def without_hyphen(ssn):
    """`010190-1199` or `0101901199` as ten digits; anything else only loses its hyphens and spaces."""
    return re.sub(r'[-\s]', '', str(ssn or ''))


def spellings(ssn):
    """The ways in which the registry may have stored it."""
    bare = without_hyphen(ssn)
    return [bare, '{}-{}'.format(bare[:6], bare[6:])]
