-- migrate:up
ALTER TABLE plays ADD COLUMN speed REAL NOT NULL DEFAULT 1.0;

-- migrate:down
ALTER TABLE plays DROP COLUMN speed;
