import { driver as cloudwatch } from "../drivers/metrics/cloudwatch/index.ts";
import { driver as datadog } from "../drivers/metrics/datadog/index.ts";
import { driver as graphite } from "../drivers/metrics/graphite/index.ts";
import { driver as httpJson } from "../drivers/metrics/http-json/index.ts";
import { flux, influxql } from "../drivers/metrics/influxdb/index.ts";
import type { MetricDriver } from "../drivers/metrics/metric-driver.ts";
import { driver as newrelic } from "../drivers/metrics/newrelic/index.ts";
import { driver as prometheus } from "../drivers/metrics/prometheus/index.ts";
import { clickhouseDriver, influxSqlDriver } from "../drivers/metrics/sql/index.ts";
import { RESOURCE_NAMES } from "./resource-registry.ts";
import type { KnownDrivers } from "../spec/known-drivers.ts";

/** Every driver of metrics there is, in the order in which people are told of them. */
export const METRIC_DRIVERS: readonly MetricDriver[] = [
  prometheus,
  httpJson,
  datadog,
  cloudwatch,
  flux,
  influxql,
  influxSqlDriver,
  newrelic,
  graphite,
  clickhouseDriver,
];

/** The drivers that documents may name; the controller's `traffic` has one of each of the second. */
export const KNOWN_DRIVERS: KnownDrivers = {
  metrics: METRIC_DRIVERS,
  traffic: ["gateway", "haproxy"],
  resources: RESOURCE_NAMES,
};
