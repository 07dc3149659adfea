"""The npm package `smartpush-web`: what stands around the SDK's own sources."""
