import django.core.validators
import django.db.models.deletion
import program_enrollments.sql.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('university_enrollments', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LinkClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('how', models.CharField(choices=[('sso', 'single sign-on'), ('email', 'confirmed e-mail'), ('staff', 'support staff'), ('command', 'management command')], max_length=8, verbose_name='claimed by')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('is_open', models.BooleanField(default=True, help_text='A person has to decide.', verbose_name='open')),
                ('is_dismissed', models.BooleanField(default=False, help_text='A person decided against it.', verbose_name='dismissed')),
            ],
            options={
                'verbose_name': 'claim on a learner',
                'verbose_name_plural': 'claims on learners',
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='learner',
            name='honored_for',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='honored_keys', to='university_enrollments.learner', verbose_name='former student ID of'),
        ),
        migrations.AddField(
            model_name='learner',
            name='honored_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='honored until'),
        ),
        migrations.AddField(
            model_name='learner',
            name='key_since',
            field=models.DateTimeField(blank=True, help_text='When the school took this student ID from somebody else. Older sign-ons with it were theirs.', null=True, verbose_name='student ID held since'),
        ),
        migrations.AddField(
            model_name='learner',
            name='proposed_email',
            field=models.CharField(blank=True, db_default='', default='', help_text="A new address that the school sent and that may be another person's: a person has to decide.", max_length=255, verbose_name='proposed e-mail'),
        ),
        migrations.AddField(
            model_name='learner',
            name='undone_how',
            field=models.CharField(blank=True, db_default='', default='', choices=[('sso', 'single sign-on'), ('email', 'confirmed e-mail'), ('staff', 'support staff'), ('command', 'management command')], help_text='The evidence of a link that was undone. Weaker evidence does not link this learner by itself.', max_length=8, verbose_name='was linked by'),
        ),
        migrations.AlterField(
            model_name='identityprovider',
            name='slug',
            field=program_enrollments.sql.fields.ExactCharField(help_text='What stands before the first colon of a social-auth uid. It cannot be changed later.', max_length=64, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9][A-Za-z0-9._~-]*\\Z', 'Use letters, digits, “.”, “_”, “~” and “-” only, and begin with a letter or digit: it stands in addresses.')], verbose_name='slug'),
        ),
        migrations.AlterField(
            model_name='learner',
            name='problem_code',
            field=models.CharField(blank=True, choices=[('conflict', 'two claims disagree'), ('realizing_failed', 'enrollments could not be made real'), ('possibly_new_person', "the student ID may be another person's now")], max_length=32, verbose_name='problem'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('program_enrollment', 'program enrollment'), ('program_curriculum', 'curriculum'), ('program_realized', 'program enrollment became real'), ('program_promised', 'program enrollment waits for an account again'), ('course_enrollment', 'course enrollment'), ('course_realized', 'course enrollment became real'), ('course_promised', 'course enrollment waits for an account again'), ('course_staff', 'course staff role'), ('link', 'link to an account'), ('student_key', 'student ID'), ('email', 'e-mail'), ('merge', 'two records of one person joined'), ('conflict', 'another account claims this learner'), ('conflict_settled', 'conflict settled'), ('retired', 'person retired')], max_length=24, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='learner',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('honored_for__isnull', True), ('honored_until__isnull', True)), models.Q(('email_normalized__isnull', True), ('honored_for__isnull', False), ('honored_until__isnull', False), ('user__isnull', True)), _connector='OR'), name='ue_learner_honored_is_nobody'),
        ),
        migrations.AddField(
            model_name='linkclaim',
            name='learner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='claims', to='university_enrollments.learner', verbose_name='learner'),
        ),
        migrations.AddField(
            model_name='linkclaim',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='university_claims', to=settings.AUTH_USER_MODEL, verbose_name='account'),
        ),
        migrations.AddConstraint(
            model_name='linkclaim',
            constraint=models.UniqueConstraint(fields=('learner', 'user'), name='ue_link_claim_unique'),
        ),
        migrations.AddConstraint(
            model_name='linkclaim',
            constraint=models.CheckConstraint(condition=models.Q(('how__in', ['sso', 'email', 'staff', 'command'])), name='ue_link_claim_how_known'),
        ),
    ]
