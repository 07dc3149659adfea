"""The npm package: its types, its tarball, and the step that builds them."""
