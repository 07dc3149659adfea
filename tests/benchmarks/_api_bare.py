"""A bare DRF view: checks a body of three fields, inserts one row, answers. No limits, and nobody asks who calls."""

from datetime import timedelta
from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.models import IdempotencyKey
from smartpush.common.time.clock import utc_now


class RowSerializer(serializers.Serializer[Any]):
    brand = serializers.IntegerField()
    scope = serializers.CharField(max_length=16)
    key = serializers.CharField(max_length=128)


class RowView(APIView):
    permission_classes = (AllowAny,)
    made = 0

    def post(self, request: Request) -> Response:
        body = RowSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        RowView.made += 1
        row = IdempotencyKey.objects.create(
            brand_id=data["brand"],
            scope=data["scope"],
            key=f"{data['key']}{RowView.made}-{id(self)}",
            expires_at=utc_now() + timedelta(days=1),
        )
        return Response({"id": row.pk})


urlpatterns = [path("row", RowView.as_view())]
