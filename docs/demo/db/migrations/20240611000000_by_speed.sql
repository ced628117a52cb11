-- migrate:up
CREATE INDEX plays_by_speed ON plays (speed);

-- migrate:down
DROP INDEX plays_by_speed;
