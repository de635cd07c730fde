"""Tables shaped like the party's: two kinds of address beside an older one, e-mail addresses in two places."""
from django.db import models
from django.utils import timezone

ICELAND = 109


class Country(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Municipality(models.Model):
    name = models.CharField(max_length=100)


class PostalCode(models.Model):
    code = models.IntegerField(unique=True)
    name = models.CharField(max_length=100)


class MunicipalityPostalCode(models.Model):
    """A postal code may lie in several municipalities; the city is read through this table."""

    municipality = models.ForeignKey(Municipality, on_delete=models.CASCADE)
    postal_code = models.ForeignKey(PostalCode, on_delete=models.CASCADE)


class Street(models.Model):
    name = models.CharField(max_length=128)
    postal_code = models.ForeignKey(PostalCode, null=True, on_delete=models.SET_NULL)


class Address(models.Model):
    """A house."""

    street = models.ForeignKey(Street, on_delete=models.CASCADE)
    number = models.IntegerField(null=True, blank=True)
    letter = models.CharField(max_length=8, blank=True)


class Union(models.Model):
    name = models.CharField(max_length=255)


class Title(models.Model):
    name = models.CharField(max_length=255)


class Email(models.Model):
    """What the newsletter was once sent to. The single-member call still reads it, the list does not."""

    email = models.CharField(max_length=124, unique=True)


class Comrade(models.Model):
    ssn = models.CharField(max_length=11, unique=True)
    name = models.CharField(max_length=255)
    birthday = models.DateField(null=True, blank=True)
    gender = models.IntegerField(null=True, blank=True)
    housing_situation = models.IntegerField(null=True, blank=True)
    reachable = models.BooleanField(default=False)
    groupable = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    emails = models.ManyToManyField(Email, blank=True)

    def __str__(self):
        return self.name


class UnionMembership(models.Model):
    comrade = models.ForeignKey(Comrade, related_name='union_memberships', on_delete=models.CASCADE)
    union = models.ForeignKey(Union, on_delete=models.CASCADE)


class ComradeTitle(models.Model):
    comrade = models.ForeignKey(Comrade, related_name='comradetitles', on_delete=models.CASCADE)
    title = models.ForeignKey(Title, on_delete=models.CASCADE)


class ContactInfo(models.Model):
    comrade = models.OneToOneField(Comrade, related_name='contact_info', on_delete=models.CASCADE)
    email = models.CharField(max_length=124, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    foreign_phone = models.CharField(max_length=32, blank=True)
    facebook = models.CharField(max_length=255, blank=True)


class SimpleAddress(models.Model):
    """The address before houses had a table of their own. Only the single-member call reads it."""

    comrade = models.ForeignKey(Comrade, on_delete=models.CASCADE)
    street_address = models.CharField(max_length=255, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=100, blank=True)


class NewLocalAddress(models.Model):
    """A member who is deleted leaves these rows behind; a country may be null, but no form may leave it empty."""

    comrade = models.ForeignKey(Comrade, null=True, on_delete=models.SET_NULL)
    country = models.ForeignKey(Country, null=True, on_delete=models.SET_NULL)
    address = models.ForeignKey(Address, null=True, blank=True, on_delete=models.SET_NULL)
    current = models.BooleanField(default=True)


class NewForeignAddress(models.Model):
    comrade = models.ForeignKey(Comrade, null=True, on_delete=models.SET_NULL)
    country = models.ForeignKey(Country, null=True, on_delete=models.SET_NULL)
    current = models.BooleanField(default=True)
    municipality = models.CharField(max_length=128, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=255, blank=True)


class MemberSyncQueue(models.Model):
    """The old queue: its ids say nothing about a member's version, and its times carry no offset."""

    member = models.ForeignKey(Comrade, null=True, on_delete=models.SET_NULL)
    ssn = models.CharField(max_length=10)
    action = models.CharField(max_length=20)
    fields_changed_json = models.TextField(default='{}')
    sync_status = models.CharField(max_length=20, default='pending')
    created_at = models.DateTimeField(default=timezone.now)
    synced_at = models.DateTimeField(null=True, blank=True)
