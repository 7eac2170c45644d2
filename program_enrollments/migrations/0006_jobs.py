import django.db.models.deletion
import django.utils.timezone
import program_enrollments.sql.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('university_enrollments', '0005_kept_progress'),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='university_enrollments.school', verbose_name='school')),
                ('program', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='university_enrollments.program', verbose_name='program')),
                ('kind', models.CharField(choices=[('program_enrollments', 'program enrollments'), ('course_enrollments', 'course enrollments')], max_length=24, verbose_name='kind')),
                ('mode', models.CharField(choices=[('upsert', 'create and update'), ('snapshot', 'everybody who is present')], max_length=8, verbose_name='mode')),
                ('dry_run', models.BooleanField(default=False, verbose_name='dry run')),
                ('cascade', models.BooleanField(default=False, verbose_name='cascade')),
                ('leaving_status', models.CharField(blank=True, max_length=9, verbose_name='status of who leaves')),
                ('state', models.CharField(choices=[('pending', 'waits for its turn'), ('checking', 'the file is being checked'), ('running', 'the file is being applied'), ('held', 'waits for a person to decide'), ('waiting', 'waits for the platform to come back'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('canceled', 'canceled'), ('superseded', 'superseded by a newer snapshot')], default='pending', max_length=10, verbose_name='state')),
                ('phase', models.CharField(choices=[('read', 'read the file'), ('duplicates', 'find duplicates'), ('compare', 'compare with what is stored'), ('leavers', 'find who leaves'), ('guard', 'weigh the removals'), ('apply', 'apply')], default='read', max_length=10, verbose_name='phase')),
                ('file_name', models.CharField(blank=True, max_length=255, verbose_name='file name')),
                ('input_name', models.CharField(blank=True, help_text='Empty once deleted.', max_length=255, verbose_name='stored input')),
                ('size', models.BigIntegerField(default=0, verbose_name='bytes')),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='lines')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='changed')),
                ('unchanged', models.PositiveIntegerField(default=0, verbose_name='unchanged')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='refused')),
                ('removals', models.PositiveIntegerField(default=0, verbose_name='removals')),
                ('counts', models.JSONField(default=dict, verbose_name='rows by word')),
                ('removed', models.JSONField(default=dict, help_text="How many were removed, by course run; the program's own under 0.", verbose_name='removed')),
                ('held', models.JSONField(null=True, verbose_name='held for')),
                ('notes', models.JSONField(default=list, verbose_name='notes')),
                ('message', models.CharField(blank=True, max_length=1000, verbose_name='message')),
                ('created_by', models.CharField(blank=True, max_length=255, verbose_name='created by')),
                ('created_by_user_id', models.BigIntegerField(help_text="The host's user ID.", null=True, verbose_name='created by user')),
                ('request_id', models.CharField(blank=True, max_length=128, verbose_name='request ID')),
                ('created', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('started', models.DateTimeField(null=True, verbose_name='started')),
                ('finished', models.DateTimeField(null=True, verbose_name='finished')),
                ('decided_by', models.CharField(blank=True, max_length=255, verbose_name='decided by')),
                ('decided_by_user_id', models.BigIntegerField(null=True, verbose_name='decided by user')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided at')),
                ('decision_reason', models.CharField(blank=True, max_length=500, verbose_name='reason of the decision')),
                ('removals_approved', models.BooleanField(null=True, verbose_name='removals approved')),
                ('queued_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='queued at')),
                ('cursor', models.BigIntegerField(default=0)),
                ('progress', models.JSONField(default=list, help_text='Where the look for leavers is.')),
                ('slice', models.BigIntegerField(default=0)),
                ('served_at', models.DateTimeField(null=True)),
                ('busy_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0, help_text='Slices begun at this cursor and not ended.')),
                ('cautious_until', models.BigIntegerField(default=0, help_text='Lines up to here are applied one by one.')),
                ('next_try', models.DateTimeField(null=True, verbose_name='next try')),
                ('waiting_since', models.DateTimeField(null=True, verbose_name='waiting since')),
                ('tries', models.PositiveIntegerField(default=0, verbose_name='tries')),
                ('feed_position', models.BigIntegerField(help_text="The program's last ledger position when the file was compared with what is stored.", null=True)),
                ('holds_removals', models.BooleanField(default=False, help_text='A line says nothing of whom it is about.')),
                ('is_staged', models.BooleanField(default=False, help_text='There are staging rows to be deleted at the end.')),
                ('occupied_program', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('state__in', ['checking', 'running', 'waiting']), ('dry_run', False)), then=models.F('program')), default=None), output_field=models.BigIntegerField(null=True))),
            ],
            options={
                'verbose_name': 'job',
                'verbose_name_plural': 'jobs',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='JobRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='university_enrollments.job', verbose_name='job')),
                ('place', models.BigIntegerField(verbose_name='place')),
                ('line', models.PositiveIntegerField(null=True, verbose_name='line')),
                ('student_key', models.CharField(blank=True, max_length=255, verbose_name='student ID')),
                ('course_id', models.CharField(blank=True, max_length=255, verbose_name='course key')),
                ('word', models.CharField(max_length=24, verbose_name='word')),
                ('changed', models.BooleanField(default=False, verbose_name='changed')),
                ('before', models.CharField(max_length=9, null=True, verbose_name='before')),
                ('after', models.CharField(max_length=9, null=True, verbose_name='after')),
                ('detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
                ('planned', models.BooleanField(default=False, verbose_name='planned')),
            ],
            options={
                'verbose_name': 'job row',
                'verbose_name_plural': 'job rows',
                'ordering': ['job', 'place'],
            },
        ),
        migrations.CreateModel(
            name='KeptEnrollment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('program', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='kept_enrollments', to='university_enrollments.program', verbose_name='program')),
                ('learner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kept_enrollments', to='university_enrollments.learner', verbose_name='learner')),
                ('course_run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='kept_enrollments', to='university_enrollments.courserun', verbose_name='course run')),
                ('by', models.CharField(help_text='The username at that time.', max_length=255, verbose_name='kept by')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('until', models.DateField(blank=True, help_text='The last day; empty for no end.', null=True, verbose_name='until')),
                ('created', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('kept_run', models.GeneratedField(db_persist=True, expression=models.Case(models.When(course_run__isnull=False, then=models.F('course_run')), default=models.Value(0)), output_field=models.BigIntegerField())),
            ],
            options={
                'verbose_name': 'kept enrollment',
                'verbose_name_plural': 'kept enrollments',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='StagedRow',
            fields=[
                ('pk', models.CompositePrimaryKey('job', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('learner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='university_enrollments.learner')),
                ('job', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='university_enrollments.job')),
                ('course_run', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='university_enrollments.courserun')),
                ('number', models.BigIntegerField()),
                ('line', models.PositiveIntegerField(null=True)),
                ('student_key', models.CharField(max_length=255)),
                ('email', models.CharField(max_length=255)),
                ('status', models.CharField(max_length=64)),
                ('detail_column', models.CharField(help_text="The curriculum's UUID, or whether course staff.", max_length=64)),
                ('course_key', models.CharField(max_length=255)),
                ('name', program_enrollments.sql.fields.ExactCharField(max_length=255)),
                ('email_normalized', program_enrollments.sql.fields.ExactCharField(max_length=255)),
                ('email_owner', program_enrollments.sql.fields.ExactCharField(help_text='The student ID of who has the address now, if that is another one.', max_length=255)),
                ('alters', models.BooleanField(help_text='The line gives its person an address that they do not have yet.')),
                ('word', models.CharField(max_length=24)),
                ('detail', models.CharField(max_length=500)),
                ('removes', models.BooleanField(help_text='Applying it takes somebody who is present away.')),
                ('before', models.CharField(max_length=9, null=True)),
            ],
            options={
                'verbose_name': 'staged row',
                'verbose_name_plural': 'staged rows',
            },
        ),
        migrations.AddField(
            model_name='school',
            name='guard_minimum',
            field=models.PositiveIntegerField(db_default=10, default=10, help_text='A file that removes no more than this many from a program or course run is never held.', verbose_name='removals always allowed'),
        ),
        migrations.AddField(
            model_name='school',
            name='guard_percent',
            field=models.PositiveSmallIntegerField(db_default=20, default=20, help_text='A file may remove up to this share, in percent, of those present; over both it is held.', verbose_name='share allowed'),
        ),
        migrations.AddConstraint(
            model_name='school',
            constraint=models.CheckConstraint(condition=models.Q(('guard_percent__lte', 100)), name='ue_school_guard_percent_possible'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['state', 'queued_at'], name='ue_job_state'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['program', 'state'], name='ue_job_program'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['school', 'finished'], name='ue_job_school'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(fields=('occupied_program',), name='ue_job_one_per_program'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['program_enrollments', 'course_enrollments'])), name='ue_job_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('mode__in', ['upsert', 'snapshot'])), name='ue_job_mode_known'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'checking', 'running', 'held', 'waiting', 'succeeded', 'failed', 'canceled', 'superseded'])), name='ue_job_state_known'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mode', 'upsert'), ('leaving_status', '')), models.Q(('mode', 'snapshot'), models.Q(('leaving_status', ''), _negated=True)), _connector='OR'), name='ue_job_leaving_iff_snapshot'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'waiting'), _negated=True), ('next_try__isnull', False), _connector='OR'), name='ue_job_waiting_has_next_try'),
        ),
        migrations.AddConstraint(
            model_name='jobrow',
            constraint=models.UniqueConstraint(fields=('job', 'place'), name='ue_job_row_place_unique'),
        ),
        migrations.AddConstraint(
            model_name='keptenrollment',
            constraint=models.UniqueConstraint(fields=('program', 'learner', 'kept_run'), name='ue_kept_enrollment_unique'),
        ),
        migrations.AddConstraint(
            model_name='keptenrollment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), _negated=True), models.Q(('by', ''), _negated=True)), name='ue_kept_enrollment_says_why'),
        ),
        migrations.AddIndex(
            model_name='stagedrow',
            index=models.Index(fields=['job', 'name'], name='ue_staged_row_name'),
        ),
        migrations.AddIndex(
            model_name='stagedrow',
            index=models.Index(fields=['job', 'email_normalized'], name='ue_staged_row_email'),
        ),
    ]
