{# SQL that differs between engines stands here and in raw_files.sql, as DuckDB has it; Spark's own
   is in spark.sql, and another engine adds its `<name>__` . #}

{% macro local_time(utc_timestamp, time_zone) -%}
    {{ return(adapter.dispatch('local_time', 'segmenthouse')(utc_timestamp, time_zone)) }}
{%- endmacro %}

{% macro default__local_time(utc_timestamp, time_zone) -%}
    timezone('{{ time_zone }}', timezone('UTC', {{ utc_timestamp }}))
{%- endmacro %}

{# Full hours since 1970; and the moment at which such an hour begins. #}
{% macro hour_of(timestamp) -%}
    {{ return(adapter.dispatch('hour_of', 'segmenthouse')(timestamp)) }}
{%- endmacro %}

{% macro default__hour_of(timestamp) -%}
    epoch_us({{ timestamp }}) // 3600000000
{%- endmacro %}

{% macro start_of_hour(hour) -%}
    {{ return(adapter.dispatch('start_of_hour', 'segmenthouse')(hour)) }}
{%- endmacro %}

{% macro default__start_of_hour(hour) -%}
    make_timestamp({{ hour }} * 3600000000)
{%- endmacro %}

{# The null of a text that a source never gives. Of an enumeration, for a column of texts costs
   as much to write when it is empty. #}
{% macro no_text() -%}
    {{ return(adapter.dispatch('no_text', 'segmenthouse')()) }}
{%- endmacro %}

{% macro default__no_text() -%}
    cast(null as enum('none'))
{%- endmacro %}

{# A text's date, null where the text is no date of this format. #}
{% macro safe_date(text, format) -%}
    {{ return(adapter.dispatch('safe_date', 'segmenthouse')(text, format)) }}
{%- endmacro %}

{% macro default__safe_date(text, format) -%}
    cast(try_strptime({{ text }}, '{{ format }}') as date)
{%- endmacro %}

{# An amount of money in cents, null where the text or number is none. Decimals add up to the
   same sum in any order, doubles do not: gold would differ from build to build. #}
{% macro safe_money(value) -%}
    {{ return(adapter.dispatch('safe_money', 'segmenthouse')(value)) }}
{%- endmacro %}

{% macro default__safe_money(value) -%}
    try_cast({{ value }} as decimal(18, 2))
{%- endmacro %}

{# A text's whole number, null where the text is no number or has a fraction. #}
{% macro safe_integer(text) -%}
    {{ return(adapter.dispatch('safe_integer', 'segmenthouse')(text)) }}
{%- endmacro %}

{% macro default__safe_integer(text) -%}
    case
            when try_cast({{ text }} as decimal(18, 4)) = try_cast({{ text }} as bigint)
                then try_cast({{ text }} as bigint)
        end
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
    {{ return(adapter.dispatch('days_between', 'segmenthouse')(first_date, last_date)) }}
{%- endmacro %}

{% macro default__days_between(first_date, last_date) -%}
    {{ datediff(first_date, last_date, 'day') }}
{%- endmacro %}

{# First days of a month from one date to the other, not counting the earlier date itself. #}
{% macro months_between(first_date, last_date) -%}
    {{ return(adapter.dispatch('months_between', 'segmenthouse')(first_date, last_date)) }}
{%- endmacro %}

{% macro default__months_between(first_date, last_date) -%}
    {{ datediff(first_date, last_date, 'month') }}
{%- endmacro %}

{# The place of a row in the file that it is read from, from 1. #}
{% macro place_in_file() -%}
    {{ return(adapter.dispatch('place_in_file', 'segmenthouse')()) }}
{%- endmacro %}

{% macro default__place_in_file() -%}
    row_number() over ()
{%- endmacro %}

{# The mean of an amount of money: the exact sum of the cents, divided once. #}
{% macro mean_money(amount) -%}
    {{ return(adapter.dispatch('mean_money', 'segmenthouse')(amount)) }}
{%- endmacro %}

{% macro default__mean_money(amount) -%}
    cast(avg({{ amount }}) as double)
{%- endmacro %}

{# The last value of a window that is not null; `over (...)` follows. #}
{% macro last_given(value) -%}
    {{ return(adapter.dispatch('last_given', 'segmenthouse')(value)) }}
{%- endmacro %}

{% macro default__last_given(value) -%}
    last_value({{ value }} ignore nulls)
{%- endmacro %}

{# The moment of the build in UTC, the same for every row of a build. #}
{% macro load_time() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endmacro %}

{# True for 'yes', false for 'no', null for anything else. #}
{% macro yes_or_no(text) -%}
    case {{ text }} when 'yes' then true when 'no' then false end
{%- endmacro %}

{# A code without blanks around it, null where it is empty. #}
{% macro code(text) -%}
    nullif(trim({{ text }}), '')
{%- endmacro %}

{# Population standard deviation of whole numbers: 0 for one value. In whole numbers until the
   end, so that it does not depend on the order of the rows; n and both sums are exact. #}
{% macro spread(whole_number) -%}
    {{ return(adapter.dispatch('spread', 'segmenthouse')(whole_number)) }}
{%- endmacro %}

{% macro default__spread(whole_number) -%}
    sqrt(cast(
            count({{ whole_number }}) * sum(cast({{ whole_number }} as hugeint) * {{ whole_number }})
            - sum({{ whole_number }}) * sum({{ whole_number }})
        as double)) / nullif(count({{ whole_number }}), 0)
{%- endmacro %}

{# A sum of doubles that does not depend on the order of the rows. #}
{% macro exact_sum(value) -%}
    {{ return(adapter.dispatch('exact_sum', 'segmenthouse')(value)) }}
{%- endmacro %}

{% macro default__exact_sum(value) -%}
    cast(sum(cast({{ value }} as decimal(32, 15))) as double)
{%- endmacro %}

{# A mean of doubles that does not depend on the order of the rows. #}
{% macro exact_mean(value) -%}
    {{ exact_sum(value) }} / count({{ value }})
{%- endmacro %}

{# The point in time of a text that counts seconds since 1970 (UTC), null where it counts none. #}
{% macro safe_epoch(text) -%}
    {{ return(adapter.dispatch('safe_epoch', 'segmenthouse')(text)) }}
{%- endmacro %}

{% macro default__safe_epoch(text) -%}
    case
            when {{ safe_integer(text) }} between 0 and 253402300799
                then make_timestamp({{ safe_integer(text) }} * 1000000)
        end
{%- endmacro %}

{# How many items a list holds; 0 for none. #}
{% macro list_length(list) -%}
    {{ return(adapter.dispatch('list_length', 'segmenthouse')(list)) }}
{%- endmacro %}

{% macro default__list_length(list) -%}
    coalesce(len({{ list }}), 0)
{%- endmacro %}

{# One row per item of a list column; the rows of an empty list go. #}
{% macro unnested(list) -%}
    {{ return(adapter.dispatch('unnested', 'segmenthouse')(list)) }}
{%- endmacro %}

{% macro default__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}

{# Every column of a relation but one. #}
{% macro columns_but(relation, column) -%}
    {{ return(adapter.dispatch('columns_but', 'segmenthouse')(relation, column)) }}
{%- endmacro %}

{% macro default__columns_but(relation, column) -%}
    {{ relation }}.* exclude ({{ column }})
{%- endmacro %}

{# A text as part of a column's name: small letters and digits, the rest joined by _. #}
{% macro column_word(text) -%}
    {{ return(adapter.dispatch('column_word', 'segmenthouse')(text)) }}
{%- endmacro %}

{% macro default__column_word(text) -%}
    coalesce(nullif(left(trim(
            regexp_replace(lower({{ text }}), '[^\p{L}\p{N}]+', '_', 'g'), '_'
        ), 40), ''), 'unnamed')
{%- endmacro %}

{# One column per name, from rows (entity, name, value): the columns are those that the data has. #}
{% macro one_column_each(relation, entity, name, value) -%}
    {{ return(adapter.dispatch('one_column_each', 'segmenthouse')(relation, entity, name, value)) }}
{%- endmacro %}

{% macro default__one_column_each(relation, entity, name, value) -%}
    select * from (
        pivot (select {{ entity }}, {{ name }}, {{ value }} from {{ relation }})
        on {{ name }} using first({{ value }}) group by {{ entity }}
    )
{%- endmacro %}
