from django.contrib import admin

from members import models


class ContactInfoInline(admin.StackedInline):
    model = models.ContactInfo


class NewLocalAddressInline(admin.TabularInline):
    model = models.NewLocalAddress
    extra = 0


class ComradeAdmin(admin.ModelAdmin):
    list_display = ('name', 'ssn')
    search_fields = ('name', 'ssn')
    filter_horizontal = ('emails',)
    inlines = [ContactInfoInline, NewLocalAddressInline]


admin.site.register(models.Comrade, ComradeAdmin)
