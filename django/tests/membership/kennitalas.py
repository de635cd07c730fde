"""Kennitalas made by a generator. The century digit is one that no living person's number has."""

# 8 stands for the nineteenth century: well-formed numbers of people born 1800–1899.
CENTURY = 8


def make_kennitala(index):
    """The index-th generated kennitala, each different: DDMMYY, three serial digits, century digit 8."""
    day = index % 28 + 1
    month = index // 28 % 12 + 1
    year = index // 336 % 100
    serial = 200 + index // 33600
    return '{:02d}{:02d}{:02d}{:03d}{}'.format(day, month, year, serial, CENTURY)


def make_birthday(kennitala):
    return '18{}-{}-{}'.format(kennitala[4:6], kennitala[2:4], kennitala[0:2])
