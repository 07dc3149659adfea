"""What devices report of a delivery."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.delivery.services.receipts import Receipt, receipts_record
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import WithReportToken
from smartpush.api.sdk.parsers import SdkParser
from smartpush.api.sdk.views.base import body_kept, left_out_body
from smartpush.common.database.deadlocks import again_on_deadlock
from smartpush.common.time.clock import utc_now


class ReportsView(APIView):
    """Displayed, clicked, closed: from the service worker, by the delivery's own token."""

    permission_classes = (WithReportToken,)
    parser_classes = (SdkParser,)

    @extend_schema(request=s.ReceiptsSerializer, responses=s.ReceiptsAnswer, operation_id="sdk_reports")
    def post(self, request: Request) -> Response:
        data, left_out = body_kept(request, s.ReceiptsSerializer)
        now = utc_now()
        receipts = [
            Receipt(token=one["token"], kind=one["kind"], at=s.moment(one.get("at"), now), action=one["action"])
            for one in data["reports"]
        ]
        # Each kind is a transaction of its own, and telling the same again changes nothing.
        accepted = again_on_deadlock(lambda: receipts_record(receipts=receipts, now=now))
        return Response({"accepted": accepted, **left_out_body(left_out)})
