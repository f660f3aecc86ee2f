-- Lines of the demo carrier: speed, seed and failure as JSON; null for every other line.
ALTER TABLE line ADD COLUMN demo JSONB;
