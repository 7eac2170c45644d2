"""Bring what older versions left to the rules of this one, without losing anything.

- Links that lost their account, or do not say how: the database keeps both together from the next migration on.
- Normalized values anew: characters that nobody can see no longer tell two identities apart. Where that makes two of
  one, the second row keeps its old value and needs a person; it is reported by its number.
- Exact columns on MariaDB and MySQL: trailing spaces count.

In batches, each in a transaction of its own; running it again changes nothing more.
"""

from django.db import IntegrityError, migrations, transaction
from django.utils import timezone

from program_enrollments.sql.fields import ExactCharField
from program_enrollments.normalization import normalize_identity

SIZE = 1000
SAME = "Another record of the school, number {}, has the same student ID or address up to characters nobody can see."


def mend_links(apps, schema_editor):
    learners = apps.get_model("university_enrollments", "Learner").objects.using(schema_editor.connection.alias)
    for how in ("sso", "email", "staff", "command"):
        learners.filter(user=None, link_how=how).update(link_how="", linked_at=None, undone_how=how)
    learners.filter(user__isnull=False, link_how="").update(link_how="command")


def normalize_learners(apps, schema_editor):
    learner_model = apps.get_model("university_enrollments", "Learner")
    learners = learner_model.objects.using(schema_editor.connection.alias)
    clashes = []
    last = 0
    while True:
        rows = list(
            learners.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", "school_id", "student_key", "student_key_normalized", "email", "email_normalized")[:SIZE]
        )
        if not rows:
            break
        last = rows[-1][0]
        for pk, school_id, student_key, key_before, email, email_before in rows:
            key_after, email_after = normalize_identity(student_key) or None, normalize_identity(email) or None
            if (key_after, email_after) == (key_before, email_before):
                continue
            if key_after is None and email_after is None:
                # Nothing but invisible characters: nobody can name this learner; a person has to look.
                clashes.append((pk, None))
                continue
            try:
                with transaction.atomic(using=schema_editor.connection.alias):
                    learners.filter(pk=pk).update(student_key_normalized=key_after, email_normalized=email_after)
            except IntegrityError:
                of_school = learners.filter(school_id=school_id).exclude(pk=pk)
                other = of_school.filter(student_key_normalized=key_after).first() if key_after else None
                other = other or of_school.filter(email_normalized=email_after).first()
                clashes.append((pk, other.pk if other else None))
    for pk, other in clashes:
        learners.filter(pk=pk).update(
            problem_code="conflict", problem_detail=SAME.format(other or "?"), problem_at=timezone.now()
        )
    if clashes:
        numbers = ", ".join(f"{pk} (as {other or '?'})" for pk, other in clashes[:50])
        print(f"\n  {len(clashes)} learners have an identity that another record has too: {numbers}.")
        print("  They keep their old value and are shown in admin: Learners, filter by conflict.")


def normalize_domains(apps, schema_editor):
    domains = apps.get_model("university_enrollments", "SchoolEmailDomain").objects.using(
        schema_editor.connection.alias
    )
    for pk, domain, before in domains.values_list("pk", "domain", "domain_normalized"):
        after = normalize_identity(domain) or None
        if after != before:
            try:
                with transaction.atomic(using=schema_editor.connection.alias):
                    domains.filter(pk=pk).update(domain_normalized=after)
            except IntegrityError:
                # The school lists the same domain in another row already.
                domains.filter(pk=pk).delete()


def make_columns_exact(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "mysql":
        return
    for model in apps.get_app_config("university_enrollments").get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, ExactCharField):
                parameters = field.db_parameters(connection)
                table = schema_editor.quote_name(model._meta.db_table)
                column = schema_editor.quote_name(field.column)
                schema_editor.execute(
                    f"ALTER TABLE {table} MODIFY {column} {parameters['type']} COLLATE {parameters['collation']}"
                    f" {'NULL' if field.null else 'NOT NULL'}"
                )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('university_enrollments', '0002_student_keys_change_hands'),
    ]

    operations = [
        migrations.RunPython(make_columns_exact, migrations.RunPython.noop),
        migrations.RunPython(mend_links, migrations.RunPython.noop),
        migrations.RunPython(normalize_learners, migrations.RunPython.noop),
        migrations.RunPython(normalize_domains, migrations.RunPython.noop),
    ]
