"""Journeys and who is where in them."""

from campaigns.models.campaigns import Campaign, CampaignVersion, Launch, VersionStep
from campaigns.models.enrolments import Enrolment, EntryGuard, StepRun

__all__ = ["Campaign", "CampaignVersion", "Enrolment", "EntryGuard", "Launch", "StepRun", "VersionStep"]
