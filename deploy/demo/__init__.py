"""The main job, visible: a seeded export, 100 days on a virtual clock, a killed worker, a report and a bundle."""
