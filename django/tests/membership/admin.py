from django.contrib import admin

from membership import models


class ContactInfoInline(admin.StackedInline):
    model = models.ContactInfo


class UnionMembershipInline(admin.TabularInline):
    model = models.UnionMembership
    extra = 0


class LocalAddressInline(admin.TabularInline):
    model = models.LocalAddress
    extra = 0


class ComradeAdmin(admin.ModelAdmin):
    list_display = ('name', 'ssn')
    search_fields = ('name', 'ssn')
    inlines = [ContactInfoInline, LocalAddressInline, UnionMembershipInline]


class TitleHolderInline(admin.TabularInline):
    """Rows of the table that Django itself made."""

    model = models.Title.comrades.through
    extra = 0


class TitleAdmin(admin.ModelAdmin):
    exclude = ('comrades',)
    inlines = [TitleHolderInline]


admin.site.register(models.Title, TitleAdmin)
admin.site.register(models.Comrade, ComradeAdmin)
