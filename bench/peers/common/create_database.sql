SELECT 'CREATE ROLE "' || :'app' || '" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'app') \gexec
ALTER ROLE :"app" PASSWORD :'password';
SELECT 'CREATE DATABASE "' || :'app' || '" OWNER "' || :'app' || '"'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'app') \gexec
