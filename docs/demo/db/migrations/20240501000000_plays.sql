-- migrate:up
CREATE TABLE plays (id INTEGER PRIMARY KEY, episode TEXT NOT NULL, listener TEXT NOT NULL);
INSERT INTO plays (episode, listener) VALUES ('pilot', 'ada'), ('pilot', 'bob'), ('finale', 'ada');
CREATE TABLE feature_flags (
    flag_id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), flag_name VARCHAR(255) NOT NULL UNIQUE,
    status VARCHAR(50) DEFAULT 'disabled', rollout_percentage INTEGER DEFAULT 0, tenant_id TEXT, metadata TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT DEFAULT CURRENT_TIMESTAMP);

-- migrate:down
DROP TABLE feature_flags;
DROP TABLE plays;
