{# SQL that differs between engines stands here alone; another engine adds its own `<name>__` . #}

{% macro local_time(utc_timestamp, time_zone) -%}
    {{ return(adapter.dispatch('local_time', 'segmenthouse')(utc_timestamp, time_zone)) }}
{%- endmacro %}

{% macro default__local_time(utc_timestamp, time_zone) -%}
    timezone('{{ time_zone }}', timezone('UTC', {{ utc_timestamp }}))
{%- endmacro %}

{% macro spark__local_time(utc_timestamp, time_zone) -%}
    from_utc_timestamp({{ utc_timestamp }}, '{{ time_zone }}')
{%- endmacro %}

{# A text's date, null where the text is no date of this format. #}
{% macro safe_date(text, format) -%}
    {{ return(adapter.dispatch('safe_date', 'segmenthouse')(text, format)) }}
{%- endmacro %}

{% macro default__safe_date(text, format) -%}
    cast(try_strptime({{ text }}, '{{ format }}') as date)
{%- endmacro %}

{# A text's number, null where the text is no number. Through a decimal, because a double
   would take 'nan' and 'inf' for numbers. #}
{% macro safe_number(text) -%}
    {{ return(adapter.dispatch('safe_number', 'segmenthouse')(text)) }}
{%- endmacro %}

{% macro default__safe_number(text) -%}
    cast(try_cast({{ text }} as decimal(18, 4)) as double)
{%- endmacro %}

{# The whole number that a text begins with: '5+' is 5. #}
{% macro leading_number(text) -%}
    {{ return(adapter.dispatch('leading_number', 'segmenthouse')(text)) }}
{%- endmacro %}

{% macro default__leading_number(text) -%}
    try_cast(regexp_extract({{ text }}, '^[0-9]+') as integer)
{%- endmacro %}

{# A date at a full hour. #}
{% macro at_hour(date, hour) -%}
    {{ return(adapter.dispatch('at_hour', 'segmenthouse')(date, hour)) }}
{%- endmacro %}

{% macro default__at_hour(date, hour) -%}
    cast({{ date }} as timestamp) + to_hours(cast({{ hour }} as integer))
{%- endmacro %}

{# Monday is 1, Sunday is 7. #}
{% macro weekday_number(date) -%}
    {{ return(adapter.dispatch('weekday_number', 'segmenthouse')(date)) }}
{%- endmacro %}

{% macro default__weekday_number(date) -%}
    extract(isodow from {{ date }})
{%- endmacro %}

{% macro days_between(first_date, last_date) -%}
    {{ datediff(first_date, last_date, 'day') }}
{%- endmacro %}

{# The moment of the build in UTC, the same for every row of a build. #}
{% macro load_time() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endmacro %}

{# A code without blanks around it, null where it is empty. #}
{% macro code(text) -%}
    nullif(trim({{ text }}), '')
{%- endmacro %}
