-- Whoever leads a collaborator sees what he works on. What people work on together
-- already is placed anew when the server starts, as after a change of owner.

-- +goose Up
INSERT INTO rescopes (org, rec, seq)
SELECT r.org, r.id, h.seq FROM records r JOIN heads h ON h.org = r.org
 WHERE r.fields::text LIKE '%"collaborators":["%'
    ON CONFLICT DO NOTHING;
