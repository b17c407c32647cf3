export interface NchanConfigurationOptions {
  /** For the pid file, the error log and nginx' temporary folders. */
  readonly folder: string;
  readonly port: number;
  readonly modulePath: string;
}

/**
 * nginx with nchan as an operator would run it for one core: no access log, kept publisher connections, 2,000 messages
 * kept of each channel for readers that come back, a comment every 20 seconds to keep connections alive.
 */
export function nchanConfiguration({ folder, port, modulePath }: NchanConfigurationOptions): string {
  return `
load_module ${modulePath};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;

events {
  worker_connections 16384;
  multi_accept on;
}

http {
  access_log off;
  tcp_nodelay on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_body_buffer_size 128k;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  nchan_shared_memory_size 1024m;

  server {
    listen 127.0.0.1:${port} backlog=4096;

    location = /ready {
      return 200;
    }

    location = /publish {
      nchan_publisher;
      nchan_channel_id $arg_topic;
      nchan_message_buffer_length 2000;
      nchan_message_timeout 10m;
    }

    location = /subscribe {
      nchan_subscriber eventsource;
      nchan_channel_id $arg_topic;
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 20;
    }
  }
}
`;
}
