"""Models shaped like an old Icelandic member registry's."""
from django.db import models
from django.utils import timezone


class Country(models.Model):
    name = models.CharField('land', max_length=100)
    code = models.CharField(max_length=2, unique=True)

    def __str__(self):
        return self.name


class Municipality(models.Model):
    name = models.CharField('sveitarfélag', max_length=100)

    def __str__(self):
        return self.name


class PostalCode(models.Model):
    code = models.IntegerField('póstnúmer', unique=True)
    name = models.CharField(max_length=100)

    def __str__(self):
        return '{} {}'.format(self.code, self.name)


class Street(models.Model):
    name = models.CharField('gata', max_length=128)
    postal_code = models.ForeignKey(PostalCode, null=True, on_delete=models.SET_NULL)
    municipality = models.ForeignKey(Municipality, null=True, on_delete=models.SET_NULL)

    def __str__(self):
        return self.name


class Address(models.Model):
    """A house: staðfang."""

    street = models.ForeignKey(Street, on_delete=models.CASCADE)
    number = models.IntegerField(null=True, blank=True)
    letter = models.CharField(max_length=8, blank=True)

    def __str__(self):
        return '{} {}{}'.format(self.street, self.number or '', self.letter)


class Union(models.Model):
    name = models.CharField('stéttarfélag', max_length=255)

    def __str__(self):
        return self.name


class Title(models.Model):
    name = models.CharField('starfsheiti', max_length=255)
    comrades = models.ManyToManyField('Comrade', related_name='titles', blank=True)

    def __str__(self):
        return self.name


class Comrade(models.Model):
    GENDERS = [(0, 'óþekkt'), (1, 'karl'), (2, 'kona'), (3, 'annað')]
    HOUSING = [(0, 'óþekkt'), (1, 'eigin'), (2, 'leiga'), (3, 'búseturéttur'), (4, 'foreldrahús'), (5, 'annað'),
               (6, 'húsnæðislaus')]

    ssn = models.CharField('kennitala', max_length=11, unique=True)
    name = models.CharField('nafn', max_length=255)
    birthday = models.DateField('fæðingardagur', null=True, blank=True)
    gender = models.IntegerField('kyn', choices=GENDERS, default=0)
    housing_situation = models.IntegerField('húsnæði', choices=HOUSING, default=0)
    reachable = models.BooleanField(default=False)
    groupable = models.BooleanField(default=False)
    date_joined = models.DateTimeField('skráður', default=timezone.now)
    # Not on the wire: a change of it is nobody's business outside.
    internal_note = models.TextField(blank=True, default='')
    unions = models.ManyToManyField(Union, through='UnionMembership', related_name='comrades', blank=True)

    def __str__(self):
        return self.name


class ActiveComrade(Comrade):
    """A proxy, as the registry's admin uses: it sends signals under its own name."""

    class Meta:
        proxy = True


class UnionMembership(models.Model):
    comrade = models.ForeignKey(Comrade, on_delete=models.CASCADE)
    union = models.ForeignKey(Union, on_delete=models.CASCADE)
    since = models.DateField(null=True, blank=True)


class ContactInfo(models.Model):
    comrade = models.OneToOneField(
        Comrade, primary_key=True, on_delete=models.CASCADE, related_name='contact_info')
    email = models.CharField('netfang', max_length=124, blank=True)
    phone = models.CharField('sími', max_length=32, blank=True)
    foreign_phone = models.CharField(max_length=32, blank=True)
    facebook = models.CharField(max_length=255, blank=True)


class ComradeAddress(models.Model):
    """What both kinds of address share; kept in a table of its own."""

    current = models.BooleanField(default=True)
    moved_in = models.DateField(null=True, blank=True)


class LocalAddress(ComradeAddress):
    comrade = models.ForeignKey(Comrade, on_delete=models.CASCADE, related_name='local_addresses')
    address = models.ForeignKey(Address, null=True, blank=True, on_delete=models.SET_NULL)


class ForeignAddress(ComradeAddress):
    comrade = models.ForeignKey(Comrade, on_delete=models.CASCADE, related_name='foreign_addresses')
    country = models.ForeignKey(Country, null=True, on_delete=models.SET_NULL)
    municipality = models.CharField(max_length=128, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=255, blank=True)
