"""The dashboards, one a module. Each answers one question of those who look."""
