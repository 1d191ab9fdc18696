"""The page a watchman asks: 200 when all is well, 503 when not, and in words why."""

from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from amap import clock, health


@require_safe
@never_cache
@login_not_required
def show(request):
    """`{"well": true, "database": "The database answers.", "worker": …, "letters": …}`; in English, for machines."""
    findings = health.findings(now=clock.now(), machine_now=timezone.now())
    is_well = all(finding.is_well for finding in findings)
    answer = {"well": is_well} | {finding.name: finding.says for finding in findings}
    return JsonResponse(answer, status=200 if is_well else 503, json_dumps_params={"indent": 2})
